"""The XML codec: values of the language to the bytes of a body element and back.

Each class and version has a function that writes it and one that reads it, and nothing about the schema is looked at
again while a message passes.
"""

from clearinghouse.soap.reading import decode, reader
from clearinghouse.soap.writing import Unsayable, encode, pieces

__all__ = ["Unsayable", "decode", "encode", "pieces", "reader"]
