"""What the tests stand on: real brokers, databases of all three levels, and the book of which could be had."""
