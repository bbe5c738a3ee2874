"""Visual prediction of resolved galaxy maps: the library behind the napari plugin and the command
`galaxy-maps`.
"""

__version__ = "0.1.0"
