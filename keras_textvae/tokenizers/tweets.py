"""What tweets need before they are split.

B: batch size.
"""

import tensorflow as tf

# Parts of a tweet between spaces: user names and links (Semeniuta et al. 2017, the
# authors' code).
_USER_NAME = r"(^| )@[^ ]*"
_LINK = r"(^| )https?://[^ ]*"


def replace_names_and_links(text):  # [B] -> [B]
    """Replaces each part between spaces that is a user name by `@userid`, a link `url`.

    A user name begins with "@", a link with "http://" or "https://". A text that has
    been through it stays as it is. Semeniuta et al. 2017, section 4.3.
    """
    return replace_links(replace_names(text))


def replace_names(text):  # [B] -> [B]
    """Replaces each part between spaces that begins with "@" by `@userid`."""
    return tf.strings.regex_replace(text, _USER_NAME, r"\1@userid")


def replace_links(text):  # [B] -> [B]
    """Replaces each part between spaces that begins like a link by `url`."""
    return tf.strings.regex_replace(text, _LINK, r"\1url")
