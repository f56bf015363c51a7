"""What is asked for and is not there, said in words that the page of the error shows."""

from django.http import Http404


class NotFound(Http404):
    """There is nothing of this name for this reader; the message says in their language what there is."""
