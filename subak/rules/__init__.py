"""`subak rules`: what alert rules say now, would have said, and why."""
