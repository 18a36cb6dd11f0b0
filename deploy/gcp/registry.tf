# The images of the Dockerfile. Tags are immutable; untagged images are deleted.
resource "google_artifact_registry_repository" "football" {
  repository_id = "football"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of football-assets."

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "2592000s"
    }
  }

  cleanup_policies {
    id     = "recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  depends_on = [google_project_service.used]
}
