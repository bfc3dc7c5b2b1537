"""The timetable and APScheduler around it."""
