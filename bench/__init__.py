"""capdesk's speed claims: each is measured beside a named peer, in one run, as a ratio.

``python -m bench`` measures them all, ``python -m bench NAME`` one of them.
"""
