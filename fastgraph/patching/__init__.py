"""Replacing upstream functions, knowing nothing about which ones.

A framework's adapter describes what may be replaced as `target.Target` data;
`switch.Switch` applies and restores it.
"""
