"""The engine measures itself: what it says of copies, of known slowdowns, and beside other people's tools."""
