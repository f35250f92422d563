"""From a frame to an encoded packet, behind the port in link.py. Only this folder imports av."""
