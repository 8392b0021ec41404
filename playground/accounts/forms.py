"""Forms of a person's own account."""

from django import forms


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(max_length=100, label="What is it for?", initial="my program")
