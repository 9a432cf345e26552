"""Experiments: grids of trainings and measurements that answer one question."""
