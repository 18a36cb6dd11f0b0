# The bucket of all durable state. Versioning and soft deletion keep overwritten objects. A retention policy would forbid
# the conditional writes of pointers such as the registry's aliases.
resource "google_storage_bucket" "football" {
  name                        = "${var.project}-football"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 7 * 24 * 3600
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.noncurrent_days
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  # Checkpoints of trainings that were not resumed.
  lifecycle_rule {
    condition {
      age            = 14
      matches_prefix = ["training_checkpoints/"]
      with_state     = "LIVE"
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 2
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  depends_on = [google_project_service.used]
}

data "google_storage_project_service_account" "sender" {
  count = var.notify_landed_files ? 1 : 0

  depends_on = [google_project_service.used]
}

resource "google_pubsub_topic" "landed" {
  count = var.notify_landed_files ? 1 : 0

  name                       = "football-landed"
  message_retention_duration = "86400s"

  depends_on = [google_project_service.used]
}

resource "google_pubsub_topic_iam_member" "sender" {
  count = var.notify_landed_files ? 1 : 0

  topic  = google_pubsub_topic.landed[0].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${data.google_storage_project_service_account.sender[0].email_address}"
}

resource "google_storage_notification" "landed" {
  count = var.notify_landed_files ? 1 : 0

  bucket             = google_storage_bucket.football.name
  topic              = google_pubsub_topic.landed[0].id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "raw/"

  depends_on = [google_pubsub_topic_iam_member.sender]
}
