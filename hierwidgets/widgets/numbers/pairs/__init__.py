"""The numbers of `SlopeShrinkage`: lines of groups, on their own and partially pooled."""
