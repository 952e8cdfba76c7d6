"""The group of training commands; without a command's name it trains."""

import typer

from edge_seg_train.cli.comparing import compare_variants
from edge_seg_train.cli.showing import show_runs
from edge_seg_train.cli.training import train_network

train = typer.Typer(no_args_is_help=True, invoke_without_command=True)
train.callback()(train_network)
train.command("compare")(compare_variants)
train.command("show")(show_runs)
