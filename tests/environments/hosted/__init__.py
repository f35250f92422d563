"""A page that treats the messages of widgets as VS Code and Colab do, and the server of its files."""
