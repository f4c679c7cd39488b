"""Rules of alerts: each kind is a file that says of what it is shown whether there is cause for one."""
