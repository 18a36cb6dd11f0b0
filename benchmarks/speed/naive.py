"""Naive implementations of features and training, as references of `make bench`."""

import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.config import TrainingConfig

NAIVE_MATCHES = 20_000  # the naive ways run on this many matches and are scaled up


def naive_features(matches: list[dict[str, Any]]) -> float:
    """Seconds for Elo, form over 5 and 10 matches, form by venue and season totals in a loop over dictionaries."""
    started = time.perf_counter()
    elo: defaultdict[str, float] = defaultdict(lambda: 1500.0)
    form: defaultdict[str, deque] = defaultdict(lambda: deque(maxlen=10))
    venue: defaultdict[tuple[str, bool], deque] = defaultdict(lambda: deque(maxlen=5))
    season: defaultdict[tuple[str, str], list] = defaultdict(lambda: [0, 0, 0])
    last_day: dict[str, object] = {}
    features = []
    for match in matches:
        teams = (match["home_team_id"], match["away_team_id"])
        row = {"match_id": match["match_id"]}
        for team, is_home in zip(teams, (True, False), strict=True):
            row |= {
                f"elo_{is_home}": elo[team],
                f"rest_{is_home}": (match["kickoff_date"], last_day.get(team)),
            }
            recent, recent_at_venue = list(form[team]), list(venue[team, is_home])
            for window in (recent[-5:], recent, recent_at_venue):
                for position in range(3):
                    values = [result[position] for result in window]
                    row[f"{is_home}_{len(row)}"] = sum(values) / len(values) if values else None
            row[f"season_{is_home}"] = tuple(season[team, match["season"]])
        features.append(row)
        if match["home_goals"] is None:
            continue
        goals = (match["home_goals"], match["away_goals"])
        expected = 1 / (1 + 10 ** ((elo[teams[1]] - elo[teams[0]] - 60) / 400))
        change = 20 * ((goals[0] > goals[1]) + 0.5 * (goals[0] == goals[1]) - expected)
        for side, team in enumerate(teams):
            scored, conceded = goals[side], goals[1 - side]
            points = 3 * (scored > conceded) + (scored == conceded)
            elo[team] += change if side == 0 else -change
            form[team].append((points, scored, conceded))
            venue[team, side == 0].append((points, scored, conceded))
            totals = season[team, match["season"]]
            totals[0] += points
            totals[1] += scored
            totals[2] += conceded
            last_day[team] = match["kickoff_date"]
    return time.perf_counter() - started


def naive_epoch(tensors: "SequenceTensors", rows: "NDArray[np.int64]", config: "TrainingConfig") -> float:
    """Seconds for one pass over some rows with a map-style data set."""
    import numpy as np
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader, Dataset

    from football_assets.training.network import MatchForecaster

    class Rows(Dataset):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, position: int) -> tuple[torch.Tensor, ...]:
            row = rows[position]
            one = tensors.take(np.array([row]))
            arrays = (one.home_history[0], one.away_history[0], one.context[0], tensors.goals[row])
            return (
                *(torch.tensor(np.array(array)) for array in arrays),
                torch.tensor(int(tensors.outcome[row])),
            )

    network = MatchForecaster(tensors.spec, config.network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate)
    started = time.perf_counter()
    for home, away, context, goals, outcome in DataLoader(Rows(), batch_size=config.batch_size, shuffle=True):
        logits, log_rates = network.raw_outputs(home, away, context)
        loss = functional.cross_entropy(logits, outcome) + functional.poisson_nll_loss(
            log_rates, goals.float()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.perf_counter() - started
