"""How good a search is: judged on problems whose every answer is known."""
