"""The company: its people, plan, times, holds and audit; and the operator's pages."""
