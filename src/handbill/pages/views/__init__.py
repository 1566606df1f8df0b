"""The views: a module for each noun, with the rows of its pages."""
