"""What a model is and how a session of it runs. No Jupyter, WebRTC, HTTP or codec in here."""
