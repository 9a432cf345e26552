"""Families of maps from images to images, indexed by a magnitude."""
