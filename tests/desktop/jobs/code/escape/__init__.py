"""An attacker in a box, and the world around it that it is after."""
