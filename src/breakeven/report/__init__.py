"""What people see: the summary, the table, the plots."""
