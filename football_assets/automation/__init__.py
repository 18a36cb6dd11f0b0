"""What makes the graph run by itself: jobs, sensors and schedules that cross stages."""
