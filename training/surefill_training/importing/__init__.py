"""From pretrained weights in a foreign format to a model directory that training starts from."""
