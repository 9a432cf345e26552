"""Responses of units to images and to the same images transformed."""
