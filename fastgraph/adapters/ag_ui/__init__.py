"""The adapter for AG-UI's LangGraph integration."""
