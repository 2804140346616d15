"""GitHub: releases, assets, tags, milestones, workflow runs."""
