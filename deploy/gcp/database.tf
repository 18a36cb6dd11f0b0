# Dagster's storage: runs, event log, schedules.
resource "google_sql_database_instance" "dagster" {
  name                = "football-dagster"
  region              = var.region
  database_version    = "POSTGRES_16"
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.database_tier
    edition                     = "ENTERPRISE"
    availability_type           = "ZONAL"
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.football.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      start_time                     = "03:00"
    }

    maintenance_window {
      day  = 2
      hour = 4
    }
  }

  depends_on = [google_service_networking_connection.database]
}

# PostgreSQL drops neither a database with connections nor a user that owns tables. Both are deleted with the instance.
resource "google_sql_database" "dagster" {
  name            = "dagster"
  instance        = google_sql_database_instance.dagster.name
  deletion_policy = "ABANDON"
}

resource "google_sql_user" "dagster" {
  name                = "dagster"
  instance            = google_sql_database_instance.dagster.name
  password_wo         = var.database_password
  password_wo_version = var.database_password_version
  deletion_policy     = "ABANDON"
}
