"""The Ray Serve application that answers forecasts over HTTP from the model version the registry calls production."""
