"""The system's Chromium, for pages that show nothing without their scripts.

    page ──▶ Chromium ──▶ guarding proxy ──▶ outside (looks up once, checks) ──▶ that address
               │ no names of its own to look up, no downloads, no permissions, a profile that goes

Scripts of strangers run in it and nowhere else. Whatever they ask for goes through the proxy, which
knows the owner's rules; the browser cannot even look a name up.
"""
