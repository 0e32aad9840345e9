"""The portal: pages and the API. Front door of people: builds the ``Viewer``, calls a desk once, chooses the words."""
