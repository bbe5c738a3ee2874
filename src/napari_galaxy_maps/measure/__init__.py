"""What maps come to: functions of arrays that return astropy tables and maps."""
