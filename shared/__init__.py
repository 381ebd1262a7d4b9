"""The vocabulary and the wire: what hub and desktop both mean by a word, without I/O."""
