"""An agency's work month by month: rosters in, papers out, returns merged, actions carried, data cared for."""
