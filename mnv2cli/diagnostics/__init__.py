"""What looks at this machine: ``doctor/`` checks that all works, ``bench/`` measures how fast."""
