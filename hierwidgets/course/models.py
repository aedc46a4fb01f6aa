"""The formulas of the course's models, each written once."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COMPETITIVENESS", "DISTRICTS", "MODELS", "POLL", "REGIONS", "SEVERAL_COUNTRIES"]

DISTRICTS = "contacted ~ 1 + (1 | district_id)"
"""Districts of one country, alike but for chance."""

COMPETITIVENESS = "contacted ~ district_competitiveness + (1 | district_id)"
"""The same with a predictor of the districts."""

SEVERAL_COUNTRIES = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id) "
    "+ (1 + district_competitiveness | election_id)"
)
"""Districts within elections, each election with a line of its own."""

REGIONS = "contacted ~ decades + (1 + decades | region)"
"""Many regions, each with a line of its own in the age of its people."""

POLL = "p(contacted, respondents) ~ education + age + (1 | district)"
"""People of several kinds in districts, counted by cell."""

MODELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "finland": (DISTRICTS, "finland"),
        "uk": (DISTRICTS, "uk"),
        "uk_competitiveness": (COMPETITIVENESS, "uk"),
        "rainey2015": (SEVERAL_COUNTRIES, "rainey2015"),
    }
)
"""The page's four models: formula, and name of the data."""
