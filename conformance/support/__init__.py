"""What the suite stands on: the server under test, clients whose every answer is judged, raw requests."""
