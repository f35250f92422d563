"""The notebook: magics, viewer, controls. The only folder that imports IPython, ipywidgets and anywidget."""
