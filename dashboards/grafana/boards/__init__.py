"""The boards, each one question; a module builds one or a few of a kind."""
