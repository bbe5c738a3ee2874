"""The pretrained models: what each predicts, where its weights lie and how far to trust it."""
