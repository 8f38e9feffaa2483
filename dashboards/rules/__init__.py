"""Alert rules as code: what is asked of the database, when that is an alert, who is told, and what history would have said."""
