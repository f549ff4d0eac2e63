"""Speed and memory: ratios against named peers, in one run on one machine. See README.md."""
