VERSION: str = "1.4.0"
