"""Programs that people open forms with: writers that save values, engines that show them."""
