"""Cameras that the server reads: RTSP and video files."""
