"""Charging stations behind the operator: the simulator."""
