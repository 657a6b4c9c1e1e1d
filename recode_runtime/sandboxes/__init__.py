"""The walls: one interface (`base`), and who implements it."""
