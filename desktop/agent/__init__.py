"""The worker without a window: store, link and runner put together.

`agent > station | listener | looking > sending | floor > admission | workshop | sessions > line |
setup`: imports point down.
"""
