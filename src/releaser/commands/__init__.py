"""What the tasks do, one module a subject; imported when a task runs, not when tasks are listed."""
