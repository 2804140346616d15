"""A browser's camera over WebRTC."""
