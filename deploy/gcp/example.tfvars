project         = "my-project"
region          = "europe-west4"
zones           = ["europe-west4-a", "europe-west4-b"]
billing_account = "000000-000000-000000"
budget_units    = 500
alert_email     = "football@example.com"

domains = {
  forecasts = "forecasts.example.com"
  dagster   = "dagster.example.com"
}

administrators = {
  office = "203.0.113.0/24"
}
