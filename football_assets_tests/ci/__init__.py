"""Tests of what runs outside of this machine: workflows, other platforms, the contract with clients."""
