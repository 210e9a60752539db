"""Speaks the child's side of the MultiLangDaemon protocol as amazon_kclpy does, so that processors written for it run in tests without it."""
